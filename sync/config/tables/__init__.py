"""The shape of the admin's file: which keys there are and what may stand in them. What belongs together is checked
elsewhere; here each key is looked at alone."""
