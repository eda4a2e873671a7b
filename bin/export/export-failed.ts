/** Why an export can't go on, as a sentence. What was written is whole up to there, and `--resume` goes on behind it. */
export class ExportFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExportFailed';
  }
}
