/** Why a setting of another trainer is left out, for those that say nothing about the recipe: by what it is about. */

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^(adapter|finetuning_type|peft_type)$/, 'Tabtune has no such method: choose one on the Recipe page.'],
  [/^(rl|stage|reward_model|process_reward_model)$/, 'Tabtune has no such objective: choose one on the Recipe page.'],
  [/^max_prompt_length$/, 'A prompt has no limit of its own: dataset.max_length is for prompt and answer.'],
  [/^pissa_(iter|convert)$/, 'PiSSA takes the whole decomposition here, and is saved as a plain adapter.'],
  [/^loss_watchdog/, 'A run whose loss is no longer a number stops by itself.'],
  [/^(image_|video_|audio_|freeze_(vision|multi|mm)|processor_|is_multimodal)/, 'Tabtune trains on text alone.'],
  [
    /^(datasets?|test_datasets|pretraining_dataset|eval_dataset|dataset_(name|dir|config|mixer|mixture|train_split|test_split|text_field|splits?|kwargs)|media_dir|data_files|formatting|tokenized_path|streaming|field_.*|message_.*|roles?.*|chosen|rejected)$/,
    'Data do not come with a config: choose the file on the Data page.',
  ],
  [
    /^(val_set_size|val_size|test_split_size|dataset_test_split)$/,
    'Set the share of held-out examples under dataset.validation_split.',
  ],
  [
    /^(wandb|mlflow|comet|swanlab|trackio|otel|tensorboard|use_(wandb|mlflow|comet|tensorboard|swanlab|trackio)|report_to|run_name|logging|log_|include_(tkps|tokens|num_input|effective)|plot_loss|project$|profiler|eval_table)/,
    'Curves and figures are kept with the run by Tabtune itself.',
  ],
  [/^(hub_|push_|hf_|ms_hub|om_hub)/, 'Nothing is uploaded during a run.'],
  [
    /^(output_dir|overwrite_|save_|resume_|auto_resume|saves_per_epoch|dataset_prepared_path|cache_dir|load_best_model_at_end|metric_for_best_model|greater_is_better|merge_lora)/,
    'Runs, checkpoints and the best step are kept in this browser.',
  ],
  [
    /^(do_(train|eval|predict)|eval_(strategy|on_start|batch_size|sample_packing|delay|steps|accumulation|sequence_len)|evaluation_strategy|evals_per_epoch|per_device_eval_batch_size|predict_|per_gpu|prediction_|compute_accuracy|eval_)/,
    'Evaluation takes place before, after and every training.eval_steps.',
  ],
  [
    /^(deepspeed|fsdp|ddp|dp_|world_size|local_rank|ray_|device|tensor_parallel|context_parallel|sequence_parallel|accelerator|dataloader|dataset_(num_proc|processes|keep_in_memory|shard)|preprocessing_num|num_proc|low_cpu_mem|torch_empty|gc_|heads_k_stride|low_rank|overwrite_cache|vllm|trl\.(use_)?vllm|use_vllm)/,
    'It is about the machines of a cluster; here one GPU trains.',
  ],
  [
    /^(bf16|fp16|tf32|fp8|float|bfloat16|torch_dtype|dtype|pure_bf16|upcast|infer_dtype|bnb_|double_quantization|quantization_(type|method)|use_bnb|fp32_norms)/,
    'Precision follows from the weights as stored; sums are taken in 32 bits.',
  ],
  [
    /^(flash_|flash_attn|attn_implementation|sdp_|sdpa|xformers|flex_|sage_|eager_|use_unsloth|unsloth|enable_liger|liger|use_liger|plugins|torch_compile|lora_(mlp|qkv|o|embedding)_kernel|cut_cross|chunked_cross|use_kernels|pad_to_|gradient_checkpointing_kwargs|tiled_mlp|use_reentrant|group_by_length|padding_free|dpo_padding_free|average_tokens|batch_flattening|fused_|experts_impl|sample_packing_|multipack|eval_sample|use_cache)/,
    'It chooses how the same sums are computed; Tabtune has kernels of its own.',
  ],
  [
    /^(template|chat_template|special_tokens|tokens|added_tokens|tokenizer|eot_tokens|default_system|enable_thinking|train_on_eos|model_type|type_of_model|cls_model|processor|is_.*_derived_model|trust_remote_code|use_fast|config_name|resize_)/,
    'The model’s own classes, chat template and tokens are used.',
  ],
  [
    /^(data_seed|shuffle_merged_datasets|shuffle_before|remove_unused_columns|num_labels|load_in_(4|8)bit|strict|is_preprocess|skip_prepare|excess_length|optim_target|auto_mapping|task_type|inference_mode|peft_version|base_model_class|bias$|fan_in_fan_out|version$)/,
    'It has no counterpart here, and needs none.',
  ],
];

export function reasonFor(key: string): string {
  return REASONS.find(([pattern]) => pattern.test(key))?.[1] ?? 'Tabtune has no such setting.';
}
