"""The page of a period: verdict, moves, segments, performance, vintages, decisions, as HTML without scripts.

write_report          monitoring/report/report_files.py       the page, its facts, the run in the Evidently workspace
  run_of              monitoring/report/evidently_run.py      the same report as a run, where Evidently is installed
  EvidentlyRun        monitoring/report/evidently_adapter.py  all use of Evidently
  page.leading_part   our part of the page, from a PeriodReport (templates/)
  facts.facts_of      the same as JSON
"""
