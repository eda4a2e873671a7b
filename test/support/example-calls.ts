import type { ParameterDescription } from '../../services/gateway/openapi/description.ts';
import { gatewayRoutes, type HandlerDependencies } from '../../services/gateway/routes.ts';
import type { Route } from '../../services/gateway/route.ts';

/** Only what the table says of the routes is looked at, and no handler is called, so none needs what it works with. */
export const routes: readonly Route[] = gatewayRoutes({} as HandlerDependencies);

/** `GET /health`, as lists of routes name one. */
export function nameOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

export function routeOf(operation: string): Route {
  const found = routes.find(({ description }) => description.id === operation);
  if (found === undefined) throw new Error(`there is no operation ${operation}`);
  return found;
}

export interface ExampleCall {
  readonly method: string;
  readonly path: string;
  /** Null for an operation that takes none. */
  readonly body: unknown;
}

/** The call that an operation's example makes; `values` replaces parameters by name, encoded where they must be. */
export function exampleCall(route: Route, values: Readonly<Record<string, string>> = {}): ExampleCall {
  const { parameters = [], body } = route.description;
  const valueOf = ({ name, shape }: ParameterDescription): string =>
    values[name] ?? encodeURIComponent(String(shape.example));
  const ofPath = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const path = route.path.replace('{/}', '').replaceAll(/:(\w+)/g, (_whole, name: string) => {
    const parameter = ofPath.get(name);
    if (parameter === undefined) throw new Error(`${nameOf(route)} does not describe ${name}`);
    return valueOf(parameter);
  });
  const query = parameters
    .filter(
      (each) => each.in === 'query' && (each.required || each.inExample === true || each.name in values),
    )
    .map((parameter) => `${parameter.name}=${valueOf(parameter)}`);
  return {
    method: route.method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    body: body === undefined ? null : structuredClone(body.example),
  };
}

/** All routes, those whose examples others build on before those, and what removes things last. */
export function routesInOrder(): readonly Route[] {
  const ordered = new Set<Route>();
  const add = (route: Route): void => {
    const { parameters = [], needs = [] } = route.description;
    const before = [...needs, ...parameters.flatMap(({ from }) => (from ? [from.operation] : []))];
    for (const id of before) if (!ordered.has(routeOf(id))) add(routeOf(id));
    ordered.add(route);
  };
  for (const route of routes) if (route.method !== 'DELETE') add(route);
  for (const route of routes) add(route);
  return [...ordered];
}

/** Whether a node has something of the route's example to give to those of other routes, or has it made by it. */
export function givesValues(route: Route): boolean {
  const { id } = route.description;
  const isAsked = routes.some(({ description }) =>
    description.parameters?.some(({ from }) => from?.operation === id),
  );
  return isAsked || route.method === 'POST';
}

/** What a JSON pointer without escapes names. */
export function valueAt(json: unknown, pointer: string): string {
  const found = pointer
    .split('/')
    .slice(1)
    .reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], json);
  if (typeof found !== 'string') throw new Error(`there is no text at ${pointer}`);
  return found;
}
