INSERT INTO note (text) VALUES ('the first note'), ('another one'), ('');
