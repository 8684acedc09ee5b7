"""The page of a period: verdict, moves, segments, performance, vintages, conduct, as one part of HTML without scripts.

write_report          monitoring/report/evidently_report.py   the page, its facts, the run in the Evidently workspace
  page.leading_part   our part of the page, from a PeriodReport (templates/)
  facts.facts_of      the same as JSON
"""
