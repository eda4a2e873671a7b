import { portableSha256, type Sha256 } from '../sha256.ts';
import { portableVerifyEd25519, type VerifyEd25519 } from '../ves/signature.ts';

/** What does the cryptography. Whatever is handed in must agree with the portable one on every input. */
export interface Cryptography {
  readonly sha256: Sha256;
  readonly verifyEd25519: VerifyEd25519;
}

/** Pure JavaScript: runs in any browser, and its verdict is the one that counts. */
export const portableCryptography: Cryptography = {
  sha256: portableSha256,
  verifyEd25519: portableVerifyEd25519,
};
