"""The builds of all mirrors."""

from collections.abc import Mapping

from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from constructs import Construct

from modules.mirror_build import MirrorBuild, MirrorBuildProps


class Mirrors(Construct):
    """One build for each mirror, below a scope of their own: a mirror may be called `webhook` or `cache`."""

    projects: dict[str, CodebuildProject]

    def __init__(self, scope: Construct, id: str, builds: Mapping[str, MirrorBuildProps]) -> None:
        super().__init__(scope, id)
        self.projects = {key: MirrorBuild(self, key, props).project for key, props in builds.items()}
