import type { Route } from '../route.ts';
import { type ErrorAnswer, errorAnswers, errorSchemas, wording } from './answers.ts';
import { curlExample } from './curl.ts';
import { type ParameterDescription, type RouteDescription, tags } from './description.ts';

const overview = `
Puts each store's events in one gap-free, durable, provable order.

Every operation has an example for the shell; set \`URL\` to where the node listens and \`KEY\` to an API key. An example that
needs another one first says so.

- Success is always 200, also where something was made. HEAD is answered wherever GET is.
- A path that is not here is 404 with an empty body, another method 405 with an empty body and \`Allow\`.
- A field that a request has beside those listed is ignored. UUIDs may be written with hyphens, without, in braces or after
  \`urn:uuid:\`. Lengths of names are counted in bytes of UTF-8.
- Every answer has \`x-request-id\`. A 500 is a fault of the server, in the form that the other errors of the operation have.
`;

/** The route table as an OpenAPI 3.1 document. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const operations = new Map(routes.map((route) => [route.description.id, route]));
  const byPath = Map.groupBy(routes, ({ path }) => documentPath(path));
  return {
    openapi: '3.1.1',
    info: {
      title: 'StateSet Sequencer',
      version,
      description: overview.trim(),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      [...byPath].map(([path, routesOfPath]) => [
        path,
        Object.fromEntries(
          routesOfPath.map((route) => [
            route.method.toLowerCase(),
            operation(route, [...operations.values()]),
          ]),
        ),
      ]),
    ),
    components: {
      schemas: errorSchemas,
      securitySchemes: {
        ApiKey: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description:
            '`ApiKey`, a space, and the key; or a key that begins with `ss_` alone. `X-API-Key` takes the same',
        },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A JSON Web Token, or an API key',
        },
      },
    },
  };
}

function operation(route: Route, all: readonly Route[]): object {
  const { description, access } = route;
  const { id, tag, summary, parameters = [], body } = description;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: descriptionOf(route),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterObject) }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: body.schema, example: body.example } },
      },
    }),
    responses: {
      200: success(description, linksFrom(id, all)),
      ...Object.fromEntries(errorAnswers(route).map((error) => [error.status, errorObject(error)])),
    },
    security: access === 'protected' ? [{ ApiKey: [] }, { bearer: [] }] : [],
  };
}

function descriptionOf(route: Route): string {
  const { who, needs = [] } = route.description;
  const sources = (route.description.parameters ?? []).flatMap(({ from }) => (from ? [from.operation] : []));
  const first = [...new Set([...needs, ...sources])];
  return [
    `The credential: ${wording[who]}.`,
    ...(first.length > 0
      ? [`For the example, run first: ${first.map((id) => `\`${id}\``).join(', ')}.`]
      : []),
    `\`\`\`sh\n${curlExample(route)}\n\`\`\``,
  ].join('\n\n');
}

function parameterObject({ name, in: place, about, required, shape }: ParameterDescription): object {
  return { name, in: place, description: about, required, schema: shape.schema, example: shape.example };
}

function success({ answer }: RouteDescription, links: object): object {
  const { about, shape, contentType = 'application/json' } = answer;
  const content = shape === null ? {} : { schema: shape.schema, example: shape.example };
  return {
    description: about,
    content: { [contentType]: content },
    ...(Object.keys(links).length > 0 && { links }),
  };
}

function errorObject({ about, content }: ErrorAnswer): object {
  return { description: about, ...(content !== null && { content }) };
}

/** Where the parameters of other operations come from. */
function linksFrom(id: string, all: readonly Route[]): object {
  return Object.fromEntries(
    all.flatMap(({ description }) => {
      const taken = (description.parameters ?? []).filter(({ from }) => from?.operation === id);
      if (taken.length === 0) return [];
      const parameters = taken.map((each) => [
        `${each.in}.${each.name}`,
        `$response.body#${each.from?.pointer}`,
      ]);
      return [
        [
          description.id,
          { operationId: description.id, parameters: Object.fromEntries(parameters) as object },
        ],
      ];
    }),
  );
}

/** `/a/:b{/}` as `/a/{b}`. */
export function documentPath(path: string): string {
  return path.replaceAll('{/}', '').replaceAll(/:(\w+)/g, '{$1}');
}
