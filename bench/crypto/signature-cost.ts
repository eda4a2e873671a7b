import { randomBytes } from 'node:crypto';
import { openSigningKey, preparePublicKey, verifyEd25519 } from '../../services/node-ed25519.ts';
import { measureLoops, type OperationFigures, type Span } from './measure.ts';

/** As many as a node has on the threads of libuv at once. */
const atATime = 32;
const messageCount = 2_000;
const keyCount = 10;

export interface SignatureFigures {
  readonly verification: OperationFigures;
  readonly signing: OperationFigures;
}

/** Checking agents' signatures and making receipts' as a node does, on the threads of libuv and on nothing else. */
export async function measureSignatures(span: Span): Promise<SignatureFigures> {
  const keys = Array.from({ length: keyCount }, () => openSigningKey(new Uint8Array(randomBytes(32))));
  const publicKeys = keys.map(({ publicKey }) => preparePublicKey(publicKey));
  const messages = Array.from({ length: messageCount }, () => new Uint8Array(randomBytes(32)));
  const signatures = await Promise.all(
    messages.map((message, index) => keys[index % keyCount]!.sign(message)),
  );
  let turn = 0;
  const verifyNext = async (): Promise<boolean> => {
    const index = turn++ % messageCount;
    const key = publicKeys[index % keyCount]!;
    if (await verifyEd25519(signatures[index]!, messages[index]!, key)) return true;
    throw new Error('a good signature did not verify');
  };
  const signNext = async (): Promise<boolean> => {
    await keys[0]!.sign(messages[turn++ % messageCount]!);
    return true;
  };
  const loopsOf = (next: () => Promise<boolean>) => Array.from({ length: atATime }, () => next);
  return {
    verification: await measureLoops(loopsOf(verifyNext), span),
    signing: await measureLoops(loopsOf(signNext), span),
  };
}
