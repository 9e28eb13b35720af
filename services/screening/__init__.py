"""Risk of those who declare, samples, cases and the people they exposed.

Owns: verdicts on declarations, samples, cases, exposures, contacts, findings of health.
Listens: declaration.submitted, resident.*, presence.recorded, stops.recorded.
Publishes: declaration.assessed, sample.resulted, symptom.reported, case.suspected / confirmed /
    amended / discarded / closed, exposure.published / withdrawn, contact.identified / dropped.
Answers: report_case, confirm_case, amend_case, discard_case, close_case, record_samples,
    import_results, record_exposures, record_contacts, record_health, find_contacts, get_case,
    find_cases, get_assessment, find_assessments, count_outcomes.
"""
