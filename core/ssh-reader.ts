/** Reads the fields of an SSH message (RFC 4251), one after the other. @throws RangeError if it ends too early */
export class SshReader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  raw(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError("it ends in the middle of a field");
    const found = this.bytes.subarray(this.at, end);
    this.at = end;
    return found;
  }

  uint32 = (): number => this.raw(4).readUInt32BE();
  uint64 = (): bigint => this.raw(8).readBigUInt64BE();
  string = (): Buffer => this.raw(this.uint32());
  text = (): string => this.string().toString("utf8");
  list = (): string[] => this.text().split(",");
}

/** A field with its length before it. */
export function sshString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
