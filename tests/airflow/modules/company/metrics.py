def count(context):
    pass
