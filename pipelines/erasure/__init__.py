"""Erasing a person: every row that lies in the workspace, while counts, profiles and chains stay and say so.

    what lies there                                       what happens to it
    Parquet with customer_id, application_id, decision_id rows removed: raw, clean, quarantine, prepared, score log
    Parquet with other names for these                    `columns=[...]` names them; else it is told as not searched
    JSON lines                                            records removed
    journals of the service                               refused until they are in the log
    manifests above a changed file                        a note: the entry of the erasure, rows, fingerprints
    vintages, profiles, reports, receipts                 stay: counts that name nobody
    models, studies, MLflow's records                     stay: they hold no row; evidence names no application
    chains                                                stay: decision ids, salted hashes; a reason is free text
    files outside the workspace                           the user's: told, and left out when they are read again

`record` is the chain, `salt` how ids become hashes, `person` which rows are whose, `files` and `lines` write files
again, `plan` is what a killed command goes on with, `returning` keeps erased people out.
"""
