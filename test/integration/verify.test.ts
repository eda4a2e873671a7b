import { execFile } from 'node:child_process';
import { createPublicKey, verify as verifyByOpenSsl } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agentKeyTexts,
  bundleText,
  commitmentTexts,
  eventText,
  exportLines,
  receiptText,
  sequencerKeysAnswer,
  signedCommitment,
} from '../support/evidence.ts';

const cli = join(import.meta.dirname, '../../bin/sequencer.ts');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, content: string | object): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function verify(...args: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(cli, ['verify', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const agentKeys = (): string => {
  const keys = agentKeyTexts().map(({ agent_id, key_id, public_key }) => ({
    agentId: agent_id,
    keyId: key_id,
    publicKey: public_key,
  }));
  return fileOf('agent-keys.json', { tenantId: agentKeyTexts()[0]!.tenant_id, keys });
};
const sequencerKeys = (): string => fileOf('sequencer-keys.json', sequencerKeysAnswer);

/** Whether this OpenSSL takes the neutral point as a key, by which the signature below holds for any message. */
function openSslTakes(neutral: string): boolean {
  const key = Buffer.from(`302a300506032b6570032100${neutral}`, 'hex');
  const signature = Buffer.from(neutral + '00'.repeat(32), 'hex');
  return verifyByOpenSsl(
    null,
    Buffer.from('any'),
    createPublicKey({ key, format: 'der', type: 'spki' }),
    signature,
  );
}

describe('verify', () => {
  test('says of a bundle what was checked, and by which keys', async () => {
    const { code, stdout } = await verify(fileOf('bundle.json', bundleText('ves', 19)));
    expect(stdout).toMatch(/proof that event 19 is under the commitment \d+\.\.\d+/);
    expect(stdout).toMatch(/the agent signed the event +holds once/);
    expect(stdout).toMatch(/keys that the files bring themselves/);
    expect(stdout).toMatch(/Everything that was checked holds\.\n$/);
    expect(code).toBe(0);
    const given = await verify(join(folder, 'bundle.json'), '--keys', sequencerKeys());
    expect(given.stdout).not.toMatch(/keys that the files bring themselves/);
    expect(given.code).toBe(0);
  });

  test('names the event and the rule that do not hold, and ends with 1', async () => {
    const file = fileOf('changed.json', bundleText('ves', 19).replace('"leaf_index":', '"leaf_index":1'));
    const { code, stdout } = await verify(file);
    expect(stdout).toMatch(/FAILS: event 19: .* \[inclusion\]/);
    expect(stdout).toMatch(/It does not hold\.\n$/);
    expect(code).toBe(1);
    const json = JSON.parse((await verify(file, '--json')).stdout);
    expect(json).toMatchObject({ holds: false, files: [{ file, holds: false }] });
    expect(json.files[0].checks).toContainEqual(
      expect.objectContaining({ rule: 'inclusion', subject: 'event 19', holds: false }),
    );
  });

  test('takes whole streams of both worlds, and several files at once', async () => {
    const files = (['ves', 'legacy'] as const).map((world) =>
      fileOf(`${world}.jsonl`, `${exportLines(world).join('\n')}\n`),
    );
    const { code, stdout } = await verify(...files);
    expect(stdout).toMatch(/export of events 1\.\.129 of the ves stream/);
    expect(stdout).toMatch(/export of events 1\.\.129 of the legacy stream/);
    expect(stdout).toMatch(/the root is the one over the events +holds 7 times/);
    expect(code).toBe(0);
  });

  test('names the event of a stream that was changed', async () => {
    const lines = exportLines('ves').map((line) =>
      line.startsWith('{"type":"event","sequence_number":60,')
        ? line.replace('"created_at":"2', '"created_at":"1')
        : line,
    );
    const { code, stdout } = await verify(fileOf('tampered.jsonl', lines.join('\n')));
    expect(stdout).toMatch(/FAILS: event 60: .*\[agent-signature\]/);
    expect(stdout).toMatch(/FAILS: event 60: .*\[receipt-hash\]/);
    expect(stdout).toMatch(/FAILS: commitment 30\.\.129: .*\[root\]/);
    expect(code).toBe(1);
  });

  test('checks the receipts of an ingest against the events of its request', async () => {
    const answer = fileOf('answer.json', `{"batchId":"x","receipts":[${receiptText(1)},${receiptText(2)}]}`);
    const request = fileOf(
      'request.json',
      `{"agentId":"x","events":[${eventText('ves', 1)},${eventText('ves', 2)}]}`,
    );
    const keys = ['--keys', sequencerKeys(), '--keys', agentKeys()];
    const { code, stdout } = await verify(request, answer, ...keys);
    expect(stdout).toMatch(/the receipt is for this event at this sequence +holds 2 times/);
    expect(code).toBe(0);
    const alone = await verify(answer, ...keys);
    expect(alone.stdout).toMatch(/the receipt is for this event at this sequence +not checked 2 times/);
    expect(alone.code).toBe(0);
    const swapped = fileOf(
      'swapped.json',
      `{"receipts":[${receiptText(1).replace('"sequenceNumber":1', '"sequenceNumber":2')}]}`,
    );
    expect(await verify(request, swapped, ...keys)).toMatchObject({ code: 1 });
  });

  test('asks for the keys that it lacks, and ends with 2', async () => {
    const file = fileOf('event.json', `{"event":${eventText('ves', 1)},"receipt":${receiptText(1)}}`);
    const { code, stdout } = await verify(file);
    expect(stdout).toMatch(/version 1 of the sequencer's public key is not at hand/);
    expect(stdout).toMatch(/keys are missing: give them with --keys\.\n$/);
    expect(code).toBe(2);
    expect(await verify(file, '--keys', sequencerKeys(), '--keys', agentKeys())).toMatchObject({ code: 0 });
  });

  test('finds the contradiction between two views, and who signed both', async () => {
    const mine = fileOf('mine.jsonl', exportLines('ves').join('\n'));
    const [, , third] = commitmentTexts('ves');
    const theirs = fileOf(
      'theirs.json',
      signedCommitment('ves', { ...third!, merkle_root: 'ab'.repeat(32) }),
    );
    const { code, stdout } = await verify(mine, '--against', theirs);
    expect(stdout).toMatch(/CONTRADICTION in the ves stream of .* has different roots\. Both are signed/);
    expect(code).toBe(1);
    const json = JSON.parse((await verify(mine, '--against', theirs, '--json')).stdout);
    expect(json).toMatchObject({ holds: false, equivocations: [{ kind: 'overlap', isProven: true }] });
    expect(await verify(mine, '--against', mine)).toMatchObject({ code: 0 });
  });

  test('says where OpenSSL and the portable implementation differ', async () => {
    // The neutral point signs anything: R = S·B − k·0.
    const neutral = `01${'00'.repeat(31)}`;
    const receipt = JSON.parse(receiptText(1));
    const forged = { ...receipt, sequencerSignature: neutral + '00'.repeat(32) };
    const answer = fileOf('forged.json', { receipts: [forged] });
    const keys = fileOf('odd-keys.json', {
      ...sequencerKeysAnswer,
      keys: [{ keyVersion: 1, publicKey: neutral }],
    });
    const { code, stdout } = await verify(answer, '--keys', keys);
    expect(code).toBe(1);
    // Whether it does differs between its versions.
    const told =
      /OpenSSL takes the signature .* the portable verdict, which counts, is that it does not hold/;
    expect(told.test(stdout)).toBe(openSslTakes(neutral));
  });

  test('lets what nobody signed fail when signatures are asked for', async () => {
    const {
      sequencer_id: _i,
      sequencer_key_version: _v,
      sequencer_signature: _s,
      ...unsigned
    } = commitmentTexts('ves')[0]!;
    const file = fileOf('unsigned.json', unsigned);
    const passed = await verify(file);
    expect(passed.stdout).toMatch(/nobody signed it/);
    expect(passed.code).toBe(0);
    expect(await verify(file, '--require-signatures')).toMatchObject({ code: 1 });
  });

  test.each([
    ['nothing that is known', '{"a":1}', /it is no receipt/],
    ['no JSON', 'hello', /hello|JSON/],
    ['an empty file', '', /./],
    ['keys', JSON.stringify(sequencerKeysAnswer), /give it with --keys/],
    [
      'a bundle of a later version',
      bundleText('ves', 1).replace('"format_version":1', '"format_version":2'),
      /version 2; known is/,
    ],
    [
      'an export of a later version',
      exportLines('ves')[0]!.replace('"format_version":1', '"format_version":2'),
      /version 2; known is/,
    ],
  ])('ends with 2 for %s', async (name, content, complaint) => {
    const file = fileOf(`${name}.json`, content);
    const { code, stdout, stderr } = await verify(file);
    expect(stderr).toMatch(complaint);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const json = await verify(file, '--json');
    expect(JSON.parse(json.stdout).unusable).toMatch(complaint);
  });

  test('ends with 2 for a file that is not there', async () => {
    const missing = join(folder, 'missing.json');
    expect(await verify(missing)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/missing\.json: ENOENT/),
    });
    expect(await verify()).toMatchObject({ code: 2 });
  });
});
