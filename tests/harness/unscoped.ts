/**
 * Finds work outside of a task scope: timers, listeners and promises whose errors nothing would
 * report.
 *
 * @module
 */
import ts from "typescript";
import type { CheckedSource } from "./type_checker.ts";
import { ROOT } from "./program.ts";

/** Functions that call their first argument later, without catching its errors. */
const TIMERS = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "nextTick",
  "debounce",
]);

/** Methods that call their second argument later. */
const LISTENERS = new Set([
  "on",
  "once",
  "addListener",
  "prependListener",
  "prependOnceListener",
  "addEventListener",
  "addSignalListener",
  "watchFile",
]);

/** All of them, such as `src/x.ts:12 setTimeout(…)`. */
export function findUnscoped({ checker, files }: CheckedSource): string[] {
  const found: string[] = [];
  for (const file of files) {
    const visit = (node: ts.Node): void => {
      if (isUnhomed(node, checker)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        const [text] = node.getText().split("\n");
        found.push(`${file.fileName.slice(ROOT.length)}:${line + 1} ${text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

function isUnhomed(node: ts.Node, checker: ts.TypeChecker): boolean {
  if (ts.isExpressionStatement(node)) return isBare(node.expression, checker);
  if (ts.isVoidExpression(node)) return isBare(node.expression, checker);
  if (ts.isAsExpression(node)) return isForged(node, checker);
  if (ts.isBinaryExpression(node)) return isUnguardedHandler(node, checker);
  if (!ts.isCallExpression(node)) return false;
  const callback = callbackOf(node);
  return callback !== undefined && !isSafe(callback, checker) || isMisused(node, checker);
}

/** The callback of a timer or a listener. */
function callbackOf({ expression, arguments: args }: ts.CallExpression): ts.Expression | undefined {
  const name = ts.isIdentifier(expression)
    ? expression.text
    : ts.isPropertyAccessExpression(expression)
    ? expression.name.text
    : "";
  if (TIMERS.has(name)) return args[0];
  // `once` and `on` as plain functions are of node:events, and return a promise or an iterator.
  const isListener = LISTENERS.has(name) &&
    (ts.isPropertyAccessExpression(expression) || name === "addEventListener");
  return isListener ? args[1] : undefined;
}

/** `socket.onmessage = …` */
function isUnguardedHandler(node: ts.BinaryExpression, checker: ts.TypeChecker): boolean {
  const { left, right, operatorToken } = node;
  if (operatorToken.kind !== ts.SyntaxKind.EqualsToken) return false;
  if (!ts.isPropertyAccessExpression(left) || !/^on[a-z]+$/.test(left.name.text)) return false;
  return !isSafe(right, checker);
}

/** A promise that is not awaited, returned or stored. Unknown types count as promises. */
function isBare(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  if (ts.isAwaitExpression(expression)) return false;
  if (ts.isBinaryExpression(expression)) {
    const kind = expression.operatorToken.kind;
    if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment) return false;
  }
  const type = checker.getTypeAtLocation(expression);
  if (ts.isCallExpression(expression) && type.flags & ts.TypeFlags.Any) return true;
  return isThenable(type, checker) && !isGuardedThen(expression, checker);
}

/** A promise whose rejection is handled by a function that cannot throw. */
function isGuardedThen(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  if (!ts.isCallExpression(expression)) return false;
  const { expression: callee, arguments: args } = expression;
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const handlers = args.filter((arg) => arg.getText() !== "undefined");
  const takesRejections = callee.name.text === "then"
    ? args.length === 2
    : callee.name.text === "catch";
  return takesRejections && handlers.every((handler) => isSafe(handler, checker));
}

/** An async function as an argument whose result is ignored. */
function isMisused(call: ts.CallExpression, checker: ts.TypeChecker): boolean {
  const signature = checker.getResolvedSignature(call);
  return signature !== undefined && call.arguments.some((argument, i) => {
    if (!ts.isArrowFunction(argument) && !ts.isFunctionExpression(argument)) return false;
    const parameter = signature.parameters[i];
    if (parameter === undefined) return false;
    const wanted = checker.getTypeOfSymbolAtLocation(parameter, call).getCallSignatures();
    const isIgnored = wanted.length > 0 &&
      wanted.every((one) => Boolean(one.getReturnType().flags & ts.TypeFlags.Void));
    const [given] = checker.getTypeAtLocation(argument).getCallSignatures();
    return isIgnored && given !== undefined && isThenable(given.getReturnType(), checker);
  });
}

/** `x as Guarded`: only a task scope may create one. */
function isForged(node: ts.AsExpression, checker: ts.TypeChecker): boolean {
  if (!isGuarded(checker.getTypeFromTypeNode(node.type))) return false;
  return ts.findAncestor(
    node,
    (above) =>
      ts.isMethodDeclaration(above) && above.name.getText() === "guard" &&
      ts.isClassDeclaration(above.parent) && above.parent.name?.text === "TaskScope",
  ) === undefined;
}

/** A callback that cannot throw: one guarded by a task scope, or one that settles a promise. */
function isSafe(callback: ts.Expression, checker: ts.TypeChecker): boolean {
  if (isGuarded(checker.getTypeAtLocation(callback)) || isSettling(callback, checker)) return true;
  if (ts.isArrowFunction(callback)) return settlesAlone(callback, checker);
  const declaration = ts.isIdentifier(callback)
    ? checker.getSymbolAtLocation(callback)?.valueDeclaration
    : undefined;
  return declaration !== undefined && ts.isVariableDeclaration(declaration) &&
    ts.isVariableDeclarationList(declaration.parent) &&
    (declaration.parent.flags & ts.NodeFlags.Const) !== 0 &&
    declaration.initializer !== undefined && isSafe(declaration.initializer, checker);
}

function isGuarded(type: ts.Type): boolean {
  return type.symbol?.name === "Guarded" && type.getProperty("neverThrows") !== undefined;
}

/** `() => resolve(value)`, with a value that cannot throw. */
function settlesAlone({ body }: ts.ArrowFunction, checker: ts.TypeChecker): boolean {
  return ts.isCallExpression(body) && isSettling(body.expression, checker) &&
    body.arguments.every(isSimple);
}

/** Whether evaluating a value cannot throw. */
function isSimple(value: ts.Expression): boolean {
  if (ts.isNewExpression(value)) {
    return value.expression.getText() === "Error" && (value.arguments ?? []).every(isSimple);
  }
  return ts.isIdentifier(value) || ts.isLiteralExpression(value) ||
    value.kind === ts.SyntaxKind.TrueKeyword || value.kind === ts.SyntaxKind.FalseKeyword ||
    ts.isPropertyAccessExpression(value) && ts.isIdentifier(value.expression);
}

/** `resolve` or `reject` of a promise's executor, or of `Promise.withResolvers`. */
function isSettling(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  const symbol = checker.getSymbolAtLocation(expression);
  for (const declaration of symbol?.declarations ?? []) {
    if (isFromResolvers(declaration)) return true;
    if (ts.isBindingElement(declaration)) {
      const source = checker.getTypeAtLocation(declaration.parent);
      if (source.symbol?.name === "PromiseWithResolvers") return true;
    }
    const { parent } = declaration;
    if (!ts.isParameter(declaration) || !ts.isArrowFunction(parent)) continue;
    const made = parent.parent;
    if (ts.isNewExpression(made) && made.expression.getText() === "Promise") return true;
  }
  return false;
}

function isFromResolvers({ parent }: ts.Declaration): boolean {
  return ts.isInterfaceDeclaration(parent) && parent.name.text === "PromiseWithResolvers";
}

function isThenable(type: ts.Type, checker: ts.TypeChecker): boolean {
  const types = type.isUnion() ? type.types : [type];
  return types.some((one) => checker.getPropertyOfType(one, "then") !== undefined);
}
