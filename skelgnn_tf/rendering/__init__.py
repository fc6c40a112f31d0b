"""Results as pictures, films and pages."""
