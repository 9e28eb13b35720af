"""Lianfang (联防): language, SDK and runtime of a city's five-level epidemic prevention.

Import the room you need (`lianfang.places`, `lianfang.events.screening`, `lianfang.client`); this
package itself imports nothing, so that an integrator never pays for what a service stands on.
"""
