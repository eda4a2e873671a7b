import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Reply, textReply } from '../reply.ts';
import type { RouteRequest } from '../route.ts';

/** The files of the viewer that the page asks for. Everything else in its package stays there. */
const files: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

const script = `
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  docExpansion: 'none',
  defaultModelsExpandDepth: -1,
});
`;

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>StateSet Sequencer: API reference</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>${script}</script>
</body>
</html>
`;

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  `script-src 'self' 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  "connect-src 'self'",
  // The viewer's own pictures are part of its style sheet.
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' };

/** The description of all routes as a page, in a viewer that comes from this node like everything else on it. */
export function showReference(): () => Reply {
  const reply: Reply = { status: 200, contentType: 'text/html; charset=utf-8', body: page, headers };
  return () => reply;
}

/** The viewer's files, each read from its package when it is first asked for. */
export function readReferenceFile(): (request: RouteRequest) => Reply {
  const contents = new Map<string, Buffer>();
  return ({ pathParameter, reserve }) => {
    const name = pathParameter('file');
    const contentType = files.get(name);
    if (contentType === undefined) return textReply(404, 'the page needs no such file');
    const body = contents.get(name) ?? readFileSync(join(viewerFolder(), name));
    contents.set(name, body);
    reserve(body.length);
    return { status: 200, contentType, body };
  };
}

function viewerFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
