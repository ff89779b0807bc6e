"""Whose is it? Anonymous → person, person → workspace → account, with the reason of every link."""
