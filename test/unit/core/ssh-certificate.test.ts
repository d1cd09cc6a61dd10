import { describe, expect, it } from "vitest";
import { certificateProblem, readCertificate } from "../../../core/ssh-certificate";

/** Of `ssh-keygen -s ca -h -n trading-1.desk.internal,10.0.0.1 -V always:forever`. */
const AUTHORITY = "AAAAC3NzaC1lZDI1NTE5AAAAIOUyt3haBZYTlGAl99ZN6dVDWq8oBMRsGDny4KvImscb";
const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJp2ao5wfYansQqEo/iRUWn9ST70FZk3xgqgTCbiW1ev";
const CERTIFICATE = Buffer.from(
  "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIJd+rmQJrYVnrCChraID3BZi8Kj0lHlNm83/+J7pYtbTAAAAIJp2ao5wfYansQqEo/iRUWn9ST70FZk3xgqgTCbiW1evAAAAAAAAAAAAAAACAAAABHRlc3QAAAAnAAAAF3RyYWRpbmctMS5kZXNrLmludGVybmFsAAAACDEwLjAuMC4xAAAAAAAAAAD//////////wAAAAAAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAg5TK3eFoFlhOUYCX31k3p1UNarygExGwYOfLgq8iaxxsAAABTAAAAC3NzaC1lZDI1NTE5AAAAQDYNXFlpsWj7i04/k+aNGlSi24L3TG63VLpqmum4yQfFAkyBik6rkXL/6iExxdyAMW3e6474uyz7p4sL+YZ0ZAE=",
  "base64",
);

const expected = { name: "10.0.0.1", authorities: [AUTHORITY], revoked: [], now: Date.parse("2026-11-23T02:00:00Z") };

describe("a host's certificate", () => {
  it("proves the key in it for each of its names", () => {
    const certificate = readCertificate(CERTIFICATE);
    expect(certificate.key.blob.toString("base64")).toBe(KEY);
    expect(certificateProblem(certificate, expected)).toBeUndefined();
    expect(certificateProblem(certificate, { ...expected, name: "trading-1.desk.internal" })).toBeUndefined();
    expect(certificateProblem(certificate, { ...expected, name: "10.0.0.10" })).toBe(
      "it is for trading-1.desk.internal, 10.0.0.1, and not for 10.0.0.10",
    );
  });

  it("proves nothing once any byte of it is another", () => {
    for (let at = 0; at < CERTIFICATE.length; at++) {
      const changed = Buffer.from(CERTIFICATE);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      const problem = () => certificateProblem(readCertificate(changed), { ...expected, now: 1000 });
      let found: string | undefined;
      try {
        found = problem();
      } catch (error) {
        found = String(error);
      }
      expect(found, `byte ${at}`).toMatch(/its signature is wrong|another authority signed it|^(Range)?Error: it /);
    }
  });

  it("proves nothing if it is cut off", () => {
    for (let length = 0; length < CERTIFICATE.length; length++)
      expect(() => readCertificate(CERTIFICATE.subarray(0, length))).toThrow(/^it (is of the type|ends in the middle)/);
    expect(() => readCertificate(Buffer.concat([CERTIFICATE, Buffer.alloc(1)]))).toThrow("it goes on after its end");
  });

  it("is not taken for one if it is a key", () =>
    expect(() => readCertificate(Buffer.from(KEY, "base64"))).toThrow("it is of the type ssh-ed25519"));
});
