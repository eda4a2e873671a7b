import { spawn } from 'node:child_process';

/*
 * Asks the registry whether a package that the product runs with has a known vulnerability of high or critical severity.
 *
 * Findings fail. A registry that can't be asked does not: a mirror often serves packages and no advisories, and a machine
 * behind it could never pass. It is said in a line of its own, since then nothing was checked.
 */

const args = [
  'audit',
  '--omit=dev',
  '--audit-level=high',
  '--json',
  '--fetch-retries=0',
  '--fetch-timeout=30000',
  '--loglevel=error', // A silent npm would keep back why the registry did not answer.
];

process.exitCode = report(await run('npm', args));

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** @returns the exit code */
function report({ code, output, errors }: Run): number {
  const answer = parse(output);
  const found = answer?.metadata?.vulnerabilities;
  if (answer !== null && found !== undefined) {
    const serious = (found.high ?? 0) + (found.critical ?? 0);
    if (serious === 0 && code === 0) {
      process.stdout.write('npm audit: no finding of high or critical severity.\n');
      return 0;
    }
    process.stderr.write(`npm audit: ${serious} findings of high or critical severity:\n${describe(answer)}`);
    return 1;
  }
  if (
    errors.includes('audit endpoint returned an error') ||
    output.includes('audit endpoint returned an error')
  ) {
    process.stderr.write(
      `npm audit: NOT CHECKED, since the registry does not answer questions about advisories (${answer?.message ?? 'no reason given'}).\n`,
    );
    return 0;
  }
  process.stderr.write(`npm audit failed with exit code ${code}:\n${errors}${output}\n`);
  return 1;
}

interface Answer {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
}

function parse(output: string): Answer | null {
  try {
    return JSON.parse(output) as Answer;
  } catch {
    return null;
  }
}

function describe({ vulnerabilities = {} }: Answer): string {
  return Object.entries(vulnerabilities)
    .filter(([, { severity }]) => severity === 'high' || severity === 'critical')
    .map(([name, { severity, range }]) => `  ${name} ${range}: ${severity}; see npm audit\n`)
    .join('');
}

function run(command: string, commandArgs: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArgs, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output, errors }));
  });
}
