"""What a browser says of itself, in words."""

# The first that is found counts: most browsers also claim to be the ones below them.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "a Mac",
    "Linux": "Linux",
}


def named(user_agent: str) -> str:
    """ "Firefox on Linux", as far as it says."""
    program = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    if not program:
        return user_agent[:80] or "A browser that does not say its name"
    return f"{program} on {system}" if system else program
