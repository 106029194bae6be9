"""What a stack file may say of the stack as a whole."""

from settings.fields import Model, TextMap, setting


class PackagingSettings(Model):
    """How code reaches Lambda."""

    build: bool = setting(
        default=True,
        description="Build layers and Go functions before they are uploaded. `false` is for tests and the sandbox, which "
        "build for themselves: `pulumi up` needs the archives.",
        source="Lambda developer guide, Python layers",
    )
    compile: bool = setting(
        default=False,
        description="Put bytecode beside the sources in Python layers: faster starts of functions whose runtime has the very "
        "version of the Python that builds them.",
        source="Python documentation, py_compile",
    )
    opencv: bool = setting(
        default=False,
        description="Give image-processor a layer with OpenCV, 49 MB; on arm64 only.",
        source="Lambda quotas: 250 MB with all layers",
    )


class StackWide(Model):
    """The keys that are values themselves."""

    account_concurrent_executions: int = setting(
        1000,
        "Concurrency quota of the account in this region; AWS keeps 100 of it unreserved. New accounts start with 10.",
        unit="executions",
        ge=1,
        source="Lambda quotas",
    )
    versions_to_keep: int = setting(
        5,
        "Newest published versions of each function that the maintenance function keeps, besides those an alias points to.",
        unit="versions",
        ge=1,
        le=1000,
        source="Lambda quotas: 75 GB of code in a region",
    )
    tags: TextMap = setting(
        {},
        "Tags of every resource that can be tagged, besides the program's own.",
        source="AWS tagging guide, tag limits",
        example={"team": "platform"},
    )
