import { Validator } from '@seriousme/openapi-schema-validator';
import { errorAnswers } from '../../services/gateway/openapi/answers.ts';
import { openApiDocument } from '../../services/gateway/openapi/document.ts';
import { faultOf } from '../support/answer-schemas.ts';
import { nameOf, routes } from '../support/example-calls.ts';

const document = JSON.parse(JSON.stringify(openApiDocument(routes, '1.2.3'))) as {
  readonly paths: Record<string, Record<string, { operationId: string }>>;
};

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(document);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('every route is one operation, with an id of its own', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const ids = operations.map(({ operationId }) => operationId);
  expect(ids).toHaveLength(routes.length);
  expect(new Set(ids).size).toBe(routes.length);
});

test.each(routes.map((route) => [nameOf(route), route] as const))(
  '%s describes what it takes',
  (_name, route) => {
    const { parameters = [], body, who } = route.description;
    const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(inPath);
    const changes = route.method === 'POST' || route.method === 'PUT';
    // To try again says it all.
    expect(body !== undefined).toBe(changes && !route.path.endsWith('/retry'));
    expect(who === 'everyone').toBe(route.access === 'public');
    for (const { name, shape } of parameters) {
      expect([name, faultOf(shape.example, shape.schema)]).toEqual([name, null]);
    }
    if (body !== undefined) expect(faultOf(body.example, body.schema)).toBeNull();
  },
);

test.each(routes.map((route) => [nameOf(route), route] as const))(
  'the example of what %s answers fits its schema',
  (_name, route) => {
    const { shape } = route.description.answer;
    if (shape !== null) expect(faultOf(shape.example, shape.schema)).toBeNull();
    expect(errorAnswers(route).map(({ status }) => status)).not.toContain(200);
  },
);

test('what an operation needs and what its parameters come from is there', () => {
  const ids = routes.map(({ description }) => description.id);
  for (const { description } of routes) {
    const sources = (description.parameters ?? []).flatMap(({ from }) => (from ? [from.operation] : []));
    expect(ids).toEqual(expect.arrayContaining([...(description.needs ?? []), ...sources]));
  }
});
