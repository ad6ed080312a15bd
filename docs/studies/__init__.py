"""Examples behind the pictures of the method pages: one `study()` for each method that is no detector."""
