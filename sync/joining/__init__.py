"""How items come into a link and out of it: routes, joins, matches, tasks, a person's word, a rebuild."""
