import { openApiDocument } from '../openapi/document.ts';
import { jsonTextReply, type Reply } from '../reply.ts';
import type { Route, RouteRequest } from '../route.ts';

/** The description of all routes, put together when it is first asked for. */
export function showOpenApi(
  routes: () => readonly Route[],
  version: string,
): (request: RouteRequest) => Reply {
  let text: Buffer | null = null;
  return ({ reserve }) => {
    text ??= Buffer.from(JSON.stringify(openApiDocument(routes(), version)));
    reserve(text.length);
    return jsonTextReply(text);
  };
}
