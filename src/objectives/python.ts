/** Python that asks a model something, for cards and the Compare page. */

export const GENERATE = (prompt: string) => `inputs = tokenizer(${JSON.stringify(prompt)}, return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=100)
print(tokenizer.decode(output[0], skip_special_tokens=True))`;
