import type { Definition } from './definition.ts';
import { definitionGroups } from './definitions.ts';
import { rules } from './rules.ts';

/** docs/configuration.md, from the definitions that the start reads. */
export function configurationDocs(): string {
  return `${[
    '# Configuration',
    '<!-- Written by `npm run docs:configuration` from config/; edit the definitions there. -->',
    'All settings come from the environment, are read once at start and never change while a node runs. Unset and empty ' +
      'mean the default. A value that is not accepted stops the start; all such mistakes are reported at once, by name. ' +
      'Values marked *secret* are never printed or logged.',
    ...definitionGroups.flatMap(({ title, definitions }) => [
      `## ${title}`,
      table(Object.values(definitions)),
    ]),
    '## Rules between settings',
    rules.map(({ says }) => `- ${says}`).join('\n'),
    'Where a default would break one of these rules because of another value that is set, the default gives way.',
  ].join('\n\n')}\n`;
}

function table(rows: readonly Definition<unknown>[]): string {
  return [
    '| name | default | takes | what it changes |',
    '| --- | --- | --- | --- |',
    ...rows.map(({ env, alias, defaultText, accepts, unit, secret, why }) =>
      cells(
        alias === null ? `\`${env}\`` : `\`${env}\`, else \`${alias}\``,
        secret ? `${defaultText} (*secret*)` : defaultText,
        unit === null ? accepts : `${accepts} (${unit})`,
        `${why}.`,
      ),
    ),
  ].join('\n');
}

function cells(...texts: string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
}
