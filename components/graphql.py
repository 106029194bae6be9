"""GraphQl: an AppSync API whose fields are answered by functions that know nothing of GraphQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.grants import Statement, policy, trust
from components.keys import DataKey
from components.logs import log_group
from components.place import Place
from settings import GraphQlSettings

RESOLVERS = "resolvers.js"
"""The code of all resolvers, in the folder of the schema."""


class GraphQl(pulumi.ComponentResource):
    """A GraphQL API for people of one user pool, over functions of the REST API.

    `schema` is a file in GraphQL's schema language; `resolvers.js` beside it turns each field into the request that its
    function answers over REST, and the answer into the field's value. `resolvers` names the function of each field, as
    in `Query.item`. `url` is the address, "" where settings do not enable it; then nothing is made and nothing is read.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: GraphQlSettings,
        schema: Path,
        resolvers: Mapping[str, ServerlessFunction],
        user_pool_id: pulumi.Input[str],
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:GraphQl", name, None, opts)
        self._name, self._settings, self._place = name, settings, place
        self._child = pulumi.ResourceOptions(parent=self)
        # Not on the class: Pulumi reads its annotations, and would load all of AppSync where it is off.
        self.api: aws.appsync.GraphQLApi | None = None
        self.log_group: aws.cloudwatch.LogGroup | None = None
        self.resolvers: dict[str, aws.appsync.Resolver] = {}
        self.url = pulumi.Output.from_input("")
        if settings.enabled:
            logs_role = self._create_logs_role()
            self.api = api = self._create_api(schema, user_pool_id, logs_role)
            self.log_group = self._let_log(api, logs_role, encryption)
            self._resolve(api, resolvers, schema.with_name(RESOLVERS))
            self.url = api.uris.apply(lambda uris: uris["GRAPHQL"])
        self.register_outputs({"url": self.url})

    def _create_api(
        self, schema: Path, user_pool_id: pulumi.Input[str], logs_role: aws.iam.Role
    ) -> aws.appsync.GraphQLApi:
        s = self._settings
        return aws.appsync.GraphQLApi(
            f"{self._name}-api",
            aws.appsync.GraphQLApiArgs(
                schema=schema.read_text(encoding="utf-8"),
                authentication_type="AMAZON_COGNITO_USER_POOLS",
                user_pool_config=aws.appsync.GraphQLApiUserPoolConfigArgs(
                    user_pool_id=user_pool_id,
                    aws_region=self._place.region,
                    default_action="ALLOW",
                ),
                query_depth_limit=s.query_depth_limit,
                resolver_count_limit=s.resolver_count_limit,
                introspection_config="ENABLED" if s.introspection_enabled else "DISABLED",
                xray_enabled=True,
                log_config=aws.appsync.GraphQLApiLogConfigArgs(
                    cloudwatch_logs_role_arn=logs_role.arn,
                    field_log_level=s.field_log_level,
                    # Headers, with the caller's token among them, and what was asked and answered.
                    exclude_verbose_content=True,
                ),
            ),
            self._child,
        )

    def _create_logs_role(self) -> aws.iam.Role:
        # The API asks for the role before it has an ARN of its own.
        some_api = self._place.arn("appsync", "apis/*")
        return self._role("logs", "AppSync writes the logs of the GraphQL API", some_api)

    def _let_log(
        self, api: aws.appsync.GraphQLApi, role: aws.iam.Role, encryption: DataKey
    ) -> aws.cloudwatch.LogGroup:
        """The group has the API's id in its name; without a right to make groups, AppSync makes none of its own before."""
        group = log_group(
            f"{self._name}-logs",
            physical_name=pulumi.Output.concat("/aws/appsync/apis/", api.id),
            retention_in_days=self._settings.log_retention_in_days,
            encryption=encryption,
            parent=self,
        )
        streams = pulumi.Output.concat(group.arn, ":*")
        self._may("logs", role, Statement(["logs:CreateLogStream", "logs:PutLogEvents"], [streams]))
        return group

    def _resolve(
        self,
        api: aws.appsync.GraphQLApi,
        resolvers: Mapping[str, ServerlessFunction],
        code: Path,
    ) -> None:
        functions = dict.fromkeys(resolvers.values())
        role = self._role("calls", "AppSync calls the functions of the GraphQL API", api.arn)
        rights = self._may(
            "calls", role, Statement(["lambda:InvokeFunction"], [f.arn for f in functions])
        )
        sources = {function: self._source(api, function, role, rights) for function in functions}
        text = code.read_text(encoding="utf-8")
        for field, function in resolvers.items():
            kind, _, member = field.partition(".")
            words = re.sub("([A-Z])", r"-\1", f"{kind}{member[0].upper()}{member[1:]}").lower()
            self.resolvers[field] = aws.appsync.Resolver(
                f"{self._name}{words}-resolver",
                aws.appsync.ResolverArgs(
                    api_id=api.id,
                    type=kind,
                    field=member,
                    kind="UNIT",
                    data_source=sources[function].name,
                    runtime=aws.appsync.ResolverRuntimeArgs(
                        name="APPSYNC_JS", runtime_version="1.0.0"
                    ),
                    code=text,
                ),
                self._child,
            )

    def _source(
        self,
        api: aws.appsync.GraphQLApi,
        function: ServerlessFunction,
        role: aws.iam.Role,
        rights: aws.iam.RolePolicy,
    ) -> aws.appsync.DataSource:
        return aws.appsync.DataSource(
            f"{self._name}-{function.logical_name}-source",
            aws.appsync.DataSourceArgs(
                api_id=api.id,
                # No hyphens: it is a name as GraphQL has them.
                name=function.logical_name.replace("-", "_"),
                type="AWS_LAMBDA",
                service_role_arn=role.arn,
                lambda_config=aws.appsync.DataSourceLambdaConfigArgs(function_arn=function.arn),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )

    def _role(self, purpose: str, description: str, api_arn: pulumi.Input[str]) -> aws.iam.Role:
        conditions = {
            "StringEquals": {"aws:SourceAccount": self._place.account},
            "ArnLike": {"aws:SourceArn": api_arn},
        }
        return aws.iam.Role(
            f"{self._name}-{purpose}-role",
            aws.iam.RoleArgs(
                description=description,
                assume_role_policy=trust("appsync.amazonaws.com", conditions),
            ),
            self._child,
        )

    def _may(self, purpose: str, role: aws.iam.Role, statement: Statement) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            f"{self._name}-{purpose}-policy",
            aws.iam.RolePolicyArgs(role=role.name, policy=policy([statement])),
            self._child,
        )
