/** How a password is made: the arguments of `random.RandomPassword`. The stack's state keeps it for each slot. */
export interface PasswordRule {
  readonly length: number;
  readonly minLower: number;
  readonly minUpper: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  /** Whether letters and digits may occur; symbols may if `overrideSpecial` has any. */
  readonly lower: boolean;
  readonly upper: boolean;
  readonly numeric: boolean;
  readonly overrideSpecial: string;
}

export const CLASSES = ["lower", "upper", "digits", "symbols"] as const;

type Class = (typeof CLASSES)[number];

/** What a config says of passwords. */
export interface PasswordRuleConfig {
  readonly length: number;
  readonly classes: readonly Class[];
  readonly symbols: string;
  readonly excludeCharacters: string;
  readonly minimum: Partial<Readonly<Record<Class, number | undefined>>>;
}

/** 24 characters, as the runbook has them, with symbols that mean nothing to a shell, a URL or a connection string. */
export const DEFAULT_RULE: PasswordRule = {
  length: 24,
  lower: true,
  upper: true,
  numeric: true,
  minLower: 1,
  minUpper: 1,
  minNumeric: 1,
  minSpecial: 1,
  overrideSpecial: "-_.~",
};

/** Below this a password could be guessed from what a server keeps of it. */
const LEAST_BITS = 80;

const symbolsOf = ({ classes, symbols, excludeCharacters }: PasswordRuleConfig): string =>
  classes.includes("symbols") ? [...new Set(symbols)].filter((one) => !excludeCharacters.includes(one)).join("") : "";

/** The rule that a config says. Each class that may occur occurs at least once, unless the config says otherwise. */
export function passwordRule(config: PasswordRuleConfig): PasswordRule {
  const { length, classes, minimum } = config;
  const least = (one: Class) => (classes.includes(one) ? (minimum[one] ?? 1) : 0);
  return {
    length,
    lower: classes.includes("lower"),
    upper: classes.includes("upper"),
    numeric: classes.includes("digits"),
    minLower: least("lower"),
    minUpper: least("upper"),
    minNumeric: least("digits"),
    minSpecial: least("symbols"),
    overrideSpecial: symbolsOf(config),
  };
}

/** What is impossible in a rule, with the key that it is in. */
export function ruleProblems(config: PasswordRuleConfig): { readonly key: string; readonly message: string }[] {
  const { length, classes, excludeCharacters, minimum } = config;
  const letters = /[a-z0-9]+/i.exec(excludeCharacters)?.[0];
  const symbols = symbolsOf(config);
  const unused = CLASSES.filter((one) => (minimum[one] ?? 0) > 0 && !classes.includes(one));
  const rule = passwordRule(config);
  const least = rule.minLower + rule.minUpper + rule.minNumeric + rule.minSpecial;
  const alphabet = (rule.lower ? 26 : 0) + (rule.upper ? 26 : 0) + (rule.numeric ? 10 : 0) + symbols.length;
  const bits = alphabet === 0 ? 0 : Math.floor(length * Math.log2(alphabet));
  return [
    ...(letters === undefined
      ? []
      : [
          {
            key: "excludeCharacters",
            message: `expected symbols, found ${letters}: letters and digits are left out as a class (\`classes\`)`,
          },
        ]),
    ...(classes.includes("symbols") && symbols === ""
      ? [
          {
            key: "symbols",
            message: "expected a symbol that is not excluded, found none; or leave symbols out of `classes`",
          },
        ]
      : []),
    ...unused.map((one) => ({
      key: "minimum",
      message: `expected a minimum only of \`classes\` (${classes.join(", ")}), found ${one}: ${minimum[one]}`,
    })),
    ...(least > length
      ? [{ key: "length", message: `expected at least ${least}, the sum of the minimums, found ${length}` }]
      : []),
    ...(bits < LEAST_BITS
      ? [
          {
            key: "length",
            message: `expected at least ${LEAST_BITS} bits, found ${bits} (${length} characters of ${alphabet}): a longer one, or more classes`,
          },
        ]
      : []),
  ];
}
