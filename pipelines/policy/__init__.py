"""Policy packs, offers, terms and prices."""
