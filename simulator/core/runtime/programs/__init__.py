"""Behaviour of the programs that images carry; `table.PROGRAMS` lists them."""
