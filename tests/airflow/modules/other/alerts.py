def tell(context):
    pass
