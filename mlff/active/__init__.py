"""Active learning: explore, classify, select, label, train again.

Nothing is imported here: the processes that label import `mlff.active.label` and should not load torch with it.
"""
