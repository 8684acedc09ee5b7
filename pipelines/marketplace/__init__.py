"""The marketplace: its tables and their contracts, how a user's files become them, and what is made of them."""
