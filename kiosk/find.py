"""Where the API is."""

from kiosk.local.state import State, state_folder

DEFAULT = "http://127.0.0.1:8080"


def find_api(named: str | None) -> str:
    """The API's address: the one named, else that of the system on this machine, else the usual one."""
    if named:
        return named if "://" in named else f"http://{named}"
    addresses = State(state_folder()).status().get("addresses")
    found = addresses.get("api") if isinstance(addresses, dict) else None
    return str(found) if found else DEFAULT
