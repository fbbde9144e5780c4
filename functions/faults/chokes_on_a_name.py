"""chokes-on-a-name: a message that fails every time it is delivered, however often that is."""


def ticket_code(show_id: str, order_id: str, number: int) -> str:
    """What is printed on a ticket, for shows whose id has a second word."""
    return f"{show_id.split('-')[1]}-{order_id[-6:]}-{number}".upper()
