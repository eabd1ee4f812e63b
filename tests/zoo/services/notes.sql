-- What notes.py asks of its database while it serves.
select id, text from notes where author = ? limit 20;
insert into notes(author, text) values(?, ?);
