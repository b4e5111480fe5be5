"""What a plan that is carried out leaves behind; the writes themselves are in ``apply``."""
