"""Results as pictures, movies and web pages."""
