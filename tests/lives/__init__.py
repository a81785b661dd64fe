"""Whole lives of an application, played from a seed, with every promise checked on the way.

`steps` are what happens, as values; `rules` draws them; `life` takes them; `transport` lets
requests fail and others act between them; `promises` are what must hold, and `said` is P15.
"""
