import type { Route } from '../route.ts';
import type { ParameterDescription } from './description.ts';

/**
 * The example of an operation as a command for a shell in which `URL` and `KEY` are set. What another operation made stands
 * in a variable, which a comment explains.
 */
export function curlExample({ method, path, access, description }: Route): string {
  const { parameters = [], body } = description;
  const shown = parameters.filter(({ required, inExample }) => required || inExample);
  const comments = shown.flatMap(({ from }) =>
    from === undefined
      ? []
      : [`# ${variableOf(from.pointer)}: what ${from.operation} answered at ${from.pointer}`],
  );
  const query = shown
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => `${parameter.name}=${valueOf(parameter)}`);
  const url = `$URL${pathWith(path, shown)}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  const words = [
    `curl -s${method === 'GET' ? '' : ` -X ${method}`} "${url}"`,
    ...(access === 'protected' ? ['-H "Authorization: ApiKey $KEY"'] : []),
    ...(body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(body.example, null, 2)}'`]),
  ];
  return [...comments, words.join(' \\\n  ')].join('\n');
}

/** The variable that holds what an operation answered at a pointer. */
export function variableOf(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll('/', '_')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase();
}

function pathWith(path: string, parameters: readonly ParameterDescription[]): string {
  return path.replaceAll(/\{.*?\}/g, '').replaceAll(/:(\w+)/g, (_whole, name: string) => {
    const parameter = parameters.find((candidate) => candidate.name === name);
    return parameter === undefined ? '' : valueOf(parameter);
  });
}

function valueOf({ shape, from }: ParameterDescription): string {
  return from === undefined ? encodeURIComponent(String(shape.example)) : `$${variableOf(from.pointer)}`;
}
