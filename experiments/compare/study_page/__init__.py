"""The page of one study: its search, and what refits of its best trial show about features and rows."""
