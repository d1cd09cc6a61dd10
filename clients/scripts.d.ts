/** A shell script's text, as the build and the tests put it into what imports it. */
declare module "*.sh?raw" {
  const text: string;
  export default text;
}

/** A manifest's text. */
declare module "*.yaml?raw" {
  const text: string;
  export default text;
}
