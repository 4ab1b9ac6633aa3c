"""Callbacks that the golden DAGs name."""


def page(context):
    pass


def tell(context):
    pass
