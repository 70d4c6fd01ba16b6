// Enums as TypeScript has them: a member leads back from its value to its name unless that is a text, however it is written.
import TypeScriptTransformer from "sucrase/dist/esm/transformers/TypeScriptTransformer";

// Stands at the `=` of a member.
TypeScriptTransformer.prototype.processExplicitValueEnumMember = function (enumName, name, variable) {
  const { tokens } = this;
  const end = tokens.currentToken().rhsEndIndex;
  const member = `${enumName}[${name}]`;
  tokens.appendCode(variable === null ? member : `const ${variable}`);
  tokens.copyToken();
  while (tokens.currentIndex() < end) this.rootTransformer.processToken();
  if (variable !== null) tokens.appendCode(`; ${member} = ${variable}`);
  tokens.appendCode(`; if (typeof ${member} !== "string") ${enumName}[${member}] = ${name};`);
};
