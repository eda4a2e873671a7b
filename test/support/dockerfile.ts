/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** What comes from one FROM to the next. */
export interface Stage {
  readonly from: string;
  /** Null for a stage without a name. */
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

/** @throws Error for a line that is no instruction, or stands before the first FROM */
export function readDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: { from: string; name: string | null; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Z]+) +(.+)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no instruction: ${line}`);
    if (name === 'FROM') {
      const [from = '', , stageName = null] = value.split(/ +/);
      stages.push({ from, name: stageName, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
      stage.instructions.push({ name, value });
    }
  }
  return stages;
}
