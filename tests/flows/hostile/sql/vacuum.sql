VACUUM INTO 'stolen.db'
vacuum main into 'file:stolen.db'
VACUUM INTO (SELECT secret FROM customer)
VACUUM
