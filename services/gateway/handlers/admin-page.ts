import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reply } from '../reply.ts';

/**
 * A page that asks for an administrator's key and shows what the admin routes say. It holds nothing that anyone may not
 * know: a browser can't send a header with the first request, so the page itself asks nobody who they are.
 *
 * The policy allows the page's own style and script, known by their hashes, and requests to this node; nothing else.
 */
export function showAdminPage(): () => Reply {
  const html = readFileSync(join(import.meta.dirname, '../pages/admin.html'), 'utf8');
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(html, 'style')}`,
    `script-src ${hashOf(html, 'script')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const reply: Reply = {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: html,
    headers: { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' },
  };
  return () => reply;
}

/** How a policy names the text of the page's only element of this kind. */
function hashOf(html: string, element: 'style' | 'script'): string {
  const [, text = ''] = new RegExp(`<${element}>([^]*?)</${element}>`).exec(html) ?? [];
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
