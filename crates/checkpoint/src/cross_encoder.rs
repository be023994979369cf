use crate::Checkpoint;

/// Returns the class of the activation that a cross-encoder's folder declares, such as
/// `torch.nn.modules.activation.Sigmoid`: where sentence-transformers has written it since version
/// 6, since version 4 and before that.
pub fn declared_activation(checkpoint: &Checkpoint) -> Option<&str> {
    let config = checkpoint.config();
    checkpoint
        .activation()
        .or(config["sentence_transformers"]["activation_fn"].as_str())
        .or(config["sbert_ce_default_activation_function"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(config: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let checkpoint = Checkpoint::of_cross_encoder(folder.path()).unwrap();
        declared_activation(&checkpoint).map(str::to_owned)
    }

    #[test]
    fn the_activation_is_read_from_every_generation() {
        let now = r#"{"sentence_transformers": {"activation_fn": "a.Sigmoid"}}"#;
        assert_eq!(declared(now).as_deref(), Some("a.Sigmoid"));
        let before = r#"{"sbert_ce_default_activation_function": "a.Identity"}"#;
        assert_eq!(declared(before).as_deref(), Some("a.Identity"));
        assert_eq!(declared("{}"), None);
    }
}
