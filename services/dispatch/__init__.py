"""Who does what, where, until when: the work that cases, seals and orders make necessary.

Owns: organisations, teams, rosters, responsibility, tasks, rounds and their stops.
Listens: case.*, seal.*, focus.*, quarantine.*, isolation.*, roll.amended, release.due,
    symptom.reported, declaration.assessed.
Publishes: tasks.opened, tasks.cancelled, task.*, stops.recorded.
Answers: register_organisation, register_team, set_roster, set_responsibility, find_tasks,
    count_tasks, get_task, accept_task, start_task, complete_task, refuse_task, fail_task,
    reassign_task, get_workload, find_rounds, get_round, record_stops.
"""
