"""Erasing a person: every row in the workspace is removed; counts, profiles and chains stay.

    in the workspace                                      what happens to it
    Parquet with customer_id, application_id, decision_id rows removed: raw, clean, quarantine, prepared, score log
    Parquet with other names for these                    `columns=[...]` names them; else listed as not searched
    JSON lines                                            records removed
    journals of the service                               refused until they are in the log
    manifests above a changed file                        a note: the entry of the erasure, rows, fingerprints
    vintages, profiles, reports, receipts                 stay: counts without ids
    models, studies, MLflow's records                     stay: they hold no row; evidence names no application
    chains                                                stay: decision ids, salted hashes; a reason is free text
    files outside the workspace                           the user's: listed, and the person left out when read again

Ids are exact (see `person`); ids that look alike are named in the summary (`spellings`).

`files` and `lines` write files again, `plan` is what an interrupted command continues with, `other_files` are those
that are not tables; the package erasures has the chain and the salted hashes.
"""
