import type { Endpoint } from './answer.ts';
import type { Route } from './route.ts';

/**
 * The route table as aliases, `METHOD path`, in the order in which they are tried: each route under its method, a GET
 * also under HEAD, and last, under any other method, the refusal that names the methods there are.
 */
export function endpointsByAlias(routes: readonly Route[]): Map<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>();
  for (const [path, routesOfPath] of Map.groupBy(routes, (route) => route.path)) {
    for (const route of routesOfPath) {
      for (const method of methodsOf(route)) endpoints.set(`${method} ${path}`, { kind: 'route', route });
    }
    endpoints.set(`* ${path}`, wrongMethod(path, routesOfPath));
  }
  return endpoints;
}

function methodsOf({ method }: Route): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

function wrongMethod(path: string, routes: readonly Route[]): Endpoint {
  return {
    kind: 'wrong method',
    path,
    access: routes.some((route) => route.access === 'protected') ? 'protected' : 'public',
    audience: routes.some((route) => route.audience === 'admin') ? 'admin' : undefined,
    errors: routes[0]?.errors ?? 'text',
    allow: routes.flatMap(methodsOf).join(', '),
  };
}
